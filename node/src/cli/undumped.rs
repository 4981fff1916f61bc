//! A node's memory holds keys, and is for nobody else: no core dump when it crashes, and no look into it by other programs of
//! the same user. Both are the system's to grant; where it does not, the node runs as before.
//!
//! Spec: NODE-3.4

/// From now on, for this process.
#[cfg(unix)]
pub(crate) fn keep() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::debug!(%error, "core dumps cannot be switched off");
    }
    // A program that takes core dumps from the kernel does not look at that limit; it looks at this.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::debug!(%error, "the memory of this process cannot be closed to others");
    }
}

/// Nothing that this system offers.
#[cfg(not(unix))]
pub(crate) fn keep() {}
