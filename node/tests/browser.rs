//! Pages in a real browser: headless Chromium, driven by `chromedriver` over the WebDriver protocol, against the real `weft`.
//!
//! Where there is no browser these tests say so on standard error and end. With `WEFT_BROWSER=required` that is a failure,
//! so that a machine which has one cannot lose these tests silently. `WEFT_SCREENSHOTS=DIR` keeps pictures of what was seen.

#[allow(dead_code, reason = "a driver can do more than each test needs")]
mod driver;
mod notes;
mod page;
