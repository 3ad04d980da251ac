//! What else may hold this process's memory: nothing, once a server has customer keys in it. And how
//! much of it the system hands out at once.
//!
//! Swap, the kernel's own buffers and a debugger of the superuser are beyond it.

use rustix::io;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Core files are not written, and no other process of this user may attach or read.
///
/// # Errors
/// When the system refuses.
pub(super) fn forbid_dumps() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    // A core handed to a pipe is not bound by that limit, and reading is not a core at all.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Memory comes in small pages. The allocator keeps memory for each thread, and a thread that uses a
/// window of a body now and then would hold pages of 2 MiB for it: a mixed load of 20 minutes held
/// 400 MiB, and 70 MiB without.
///
/// # Errors
/// When the system refuses, as one without huge pages may.
pub(super) fn refuse_huge_pages() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn the_kernel_is_told() {
        forbid_dumps().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        refuse_huge_pages().unwrap();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }
}
