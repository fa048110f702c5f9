//! Shuts a process in that reads what strangers sent: it can compute, take memory up to a bound, and read and write what
//! is open already. It can open no file, reach no network, start no process and touch none.

use std::{collections::BTreeMap, io};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// System calls that are carried out; all others fail with EPERM.
const ALLOWED: [i64; 24] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
];
/// Those that are carried out for memory which holds no program.
const FOR_DATA: [i64; 2] = [libc::SYS_mmap, libc::SYS_mprotect];

/// Shuts this process in, for good. From now on it may take `memory` bytes more than it has, and so many seconds of
/// processor time.
///
/// # Errors
/// The system does not do it; then nothing may be read.
pub(super) fn shut_in(memory: u64, seconds: u64) -> io::Result<()> {
    // Who starts it may end without a word.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let most = mapped()?.saturating_add(memory);
    for (resource, most) in [
        (Resource::As, most),
        (Resource::Cpu, seconds),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 0),
    ] {
        // Where the system allows less, that holds.
        let most = getrlimit(resource).maximum.map_or(most, |maximum| most.min(maximum));
        setrlimit(
            resource,
            Rlimit {
                current: Some(most),
                maximum: Some(most),
            },
        )?;
    }
    apply_filter(&filter().map_err(io::Error::other)?).map_err(io::Error::other)
}

/// Bytes of memory that this process has mapped, the program included.
fn mapped() -> io::Result<u64> {
    let sizes = std::fs::read_to_string("/proc/self/statm")?;
    let pages = sizes.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm has no numbers"))?;
    Ok(pages.saturating_mul(rustix::param::page_size() as u64))
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    const EXECUTABLE: u64 = libc::PROT_EXEC as u64;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
    for call in FOR_DATA {
        let is_data = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(EXECUTABLE), 0)?;
        rules.insert(call, vec![SeccompRule::new(vec![is_data])?]);
    }
    // A panic that is not survived, and what is out of memory, abort: that sends a signal to itself, and to nobody else.
    let itself = u64::from(std::process::id());
    let to_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, itself)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![to_itself])?]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)?.try_into()
}

#[cfg(test)]
mod tests {
    use std::{
        env,
        fs::File,
        net::{TcpStream, UdpSocket},
        os::unix::net::UnixStream,
        process::Command,
    };

    use super::*;

    const INSIDE: &str = "DROPKEEP_TEST_INSIDE";

    #[test]
    fn a_process_that_is_shut_in_reaches_nothing() {
        if env::var_os(INSIDE).is_some() {
            return inside();
        }
        let name = "extract::sandbox::tests::a_process_that_is_shut_in_reaches_nothing";
        let mut itself = Command::new(env::current_exe().unwrap());
        let output = itself
            .args(["--exact", name, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("it is shut in"), "{output:?}");
    }

    fn inside() {
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        shut_in(64 << 20, 30).unwrap();
        File::open("/etc/passwd").unwrap_err();
        File::create("/tmp/dropkeep-test-inside").unwrap_err();
        std::fs::remove_file("/tmp/dropkeep-test-inside").unwrap_err();
        for refused in [
            TcpStream::connect(address).map(drop),
            UdpSocket::bind("127.0.0.1:0").map(drop),
            UnixStream::pair().map(drop),
            Command::new("/bin/true").spawn().map(drop),
        ] {
            refused.unwrap_err();
        }
        assert!(std::thread::Builder::new().spawn(|| ()).is_err());
        assert!(Vec::<u8>::with_capacity(16 << 20).capacity() > 0);
        assert!(Vec::<u8>::new().try_reserve_exact(128 << 20).is_err());
        println!("it is shut in");
    }
}
