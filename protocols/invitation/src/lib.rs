//! weft-invitation.
