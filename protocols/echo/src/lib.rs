//! weft-echo.
