//! weft-simulations.
