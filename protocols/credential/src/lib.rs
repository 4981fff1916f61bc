//! weft-credential.
