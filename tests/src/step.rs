//! Runs a process one system call at a time: to kill it, or one of its threads, at exactly the step that a test names,
//! and to know in which order its threads called the system.
//!
//! The kernel shows each call before it happens (ptrace(2)); no root is needed, since the process is our own child.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};

/// One system call, just before it happens or just after.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name of the thread that calls: `tapelog-drain`, or that of the program.
    pub thread: String,
    /// The number of the call, as `libc::SYS_write`.
    pub number: i64,
    /// Its arguments.
    pub args: [u64; 6],
    /// The file that its first argument names, for calls whose first argument is a descriptor.
    pub file: String,
    /// What it returned, once it has happened.
    pub returned: Option<i64>,
}

/// What becomes of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It happens.
    Go,
    /// The process is killed before it happens.
    Kill,
    /// The thread ends before it happens; the others go on.
    EndThread,
    /// The thread is held where it is, as by a disk that does not answer; the others go on.
    Hold,
    /// It happens, and every thread that is held goes on.
    LetGo,
}

/// The calls that change a file, a folder, or what is on the disk.
const CHANGING: &[i64] = &[
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
];

impl Call {
    /// Whether it is about to change a file, a folder, or what is on the disk.
    #[must_use]
    pub fn changes(&self) -> bool {
        const WRITING: u64 = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) as u64;
        let opens = self.number == libc::SYS_openat && self.args[2] & WRITING != 0;
        self.returned.is_none() && (CHANGING.contains(&self.number) || opens)
    }
}

/// Runs `command` to its end, and asks `judge` before and after each of its system calls. Returns how it ended.
///
/// # Panics
/// When the process cannot be started or traced.
pub fn run(mut command: Command, mut judge: impl FnMut(&Call) -> Then) -> ExitStatus {
    // SAFETY: between fork and exec only one system call is made.
    unsafe { command.pre_exec(|| traced(libc::PTRACE_TRACEME, 0, 0, 0).map(drop)) };
    #[expect(clippy::zombie_processes, reason = "`wait` below reaps it, as every thread of it")]
    let child = command.spawn().expect("the process starts");
    let leader = i32::try_from(child.id()).expect("a pid is positive");
    let mut first = true;
    let mut calls: HashMap<i32, Call> = HashMap::new();
    let mut held: Vec<i32> = Vec::new();
    loop {
        let (thread, status) = wait();
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            if thread == leader {
                return ExitStatus::from_raw(status);
            }
            continue;
        }
        let mut deliver = 0;
        match (libc::WSTOPSIG(status), status >> 16) {
            // The process has just become the program: from here on its threads and their calls are shown.
            (libc::SIGTRAP, 0) if first => {
                first = false;
                let options =
                    libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_EXITKILL;
                traced(libc::PTRACE_SETOPTIONS, thread, 0, options as usize)
                    .expect("the process can be traced");
            }
            (SYSCALL, _) => match call_of(leader, thread, &mut calls).map_or(Then::Go, |call| judge(&call)) {
                Then::Go => {}
                Then::Kill => kill(leader),
                Then::EndThread => end_thread(thread),
                Then::Hold => {
                    held.push(thread);
                    continue;
                }
                Then::LetGo => held.drain(..).for_each(go_on),
            },
            // A new thread, or the note that there is one.
            (libc::SIGSTOP, _) => {}
            (_, event) if event != 0 => {}
            (signal, _) => deliver = signal,
        }
        // It may have been killed meanwhile; then the next `wait` says so.
        let _ = traced(libc::PTRACE_SYSCALL, thread, 0, usize::try_from(deliver).unwrap_or(0));
    }
}

fn go_on(thread: i32) {
    // As above.
    let _ = traced(libc::PTRACE_SYSCALL, thread, 0, 0);
}

/// How PTRACE_O_TRACESYSGOOD marks a stop at a system call.
const SYSCALL: i32 = libc::SIGTRAP | 0x80;

/// The call that the thread is about to make, or is just back from.
fn call_of(process: i32, thread: i32, calls: &mut HashMap<i32, Call>) -> Option<Call> {
    let mut info = core::mem::MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let len = size_of::<libc::ptrace_syscall_info>();
    traced(libc::PTRACE_GET_SYSCALL_INFO, thread, len, info.as_mut_ptr() as usize).ok()?;
    // SAFETY: zeros are valid for these plain numbers, and the kernel has filled them in.
    let info = unsafe { info.assume_init() };
    match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: with this `op` the kernel has filled in `entry`.
            let entry = unsafe { info.u.entry };
            let name = fs::read_to_string(format!("/proc/{process}/task/{thread}/comm")).unwrap_or_default();
            let file = fs::read_link(format!("/proc/{process}/fd/{}", entry.args[0])).unwrap_or_default();
            let call = Call {
                thread: name.trim().to_owned(),
                number: entry.nr.cast_signed(),
                args: entry.args,
                file: file.to_string_lossy().into_owned(),
                returned: None,
            };
            calls.insert(thread, call.clone());
            Some(call)
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: with this `op` the kernel has filled in `exit`.
            let exit = unsafe { info.u.exit };
            calls.remove(&thread).map(|call| Call { returned: Some(exit.sval), ..call })
        }
        _ => None,
    }
}

fn kill(process: i32) {
    // SAFETY: no memory is involved; the process is our own child, not yet reaped.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

/// The call becomes `exit`, which ends the thread alone.
#[cfg(target_arch = "x86_64")]
fn end_thread(thread: i32) {
    let place =
        core::mem::offset_of!(libc::user, regs) + core::mem::offset_of!(libc::user_regs_struct, orig_rax);
    let exit = usize::try_from(libc::SYS_exit).expect("it is a small number");
    traced(libc::PTRACE_POKEUSER, thread, place, exit).expect("a stopped thread's registers can be set");
}

#[cfg(not(target_arch = "x86_64"))]
fn end_thread(_thread: i32) {
    panic!("which register names the call is known for x86_64 alone");
}

fn wait() -> (i32, i32) {
    let mut status = 0;
    // Children of this thread alone: other tests have theirs.
    // SAFETY: `status` is a place for the result.
    let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD) };
    assert!(thread > 0, "{}", io::Error::last_os_error());
    (thread, status)
}

fn traced(request: libc::c_uint, thread: i32, address: usize, data: usize) -> io::Result<i64> {
    // SAFETY: `address` and `data` are what `request` asks for; our memory is named by PTRACE_GET_SYSCALL_INFO alone,
    // with its length.
    let result = unsafe { libc::ptrace(request, thread, address, data) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
