//! Bounds of `specs/proto/echo.proto`.

use super::{BODY, HASH, NAME, bounded};
use crate::{Bound, echo::Register};

/// Registers that one mutation writes.
const REGISTERS: u32 = 256;
/// One register's value, JSON.
const VALUE: u32 = 64 << 10;

bounded! { "weft.echo.v1", echo:
    Mutation [
        Bound::bytes(1, HASH), Bound::bytes(2, NAME),
        Bound::message(3, Register::BOUNDS).times(REGISTERS).at_least(3), Bound::bytes(4, BODY), Bound::bytes(5, BODY),
        Bound::bool(6),
    ]
    Register [Bound::bytes(1, NAME), Bound::bytes(2, VALUE)]
}
