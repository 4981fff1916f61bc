//! weft-machine.
