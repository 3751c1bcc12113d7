//! The life of a zygote: become what the order says, seal, then take "fork", fork, reap and report, in one thread.

use super::control::{CellId, Exit, ExitCause, FromZygote, Sealed, ToZygote, ZygoteOrder, receive, send};
use super::guest::{Warm, WarmGuest};
use super::inside::{self, Birth};
use super::os;
use super::seal::{self, Layers};
use super::seccomp::SeccompCell;
use nix::sys::wait::WaitStatus;
use nix::unistd::{ForkResult, Pid};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// The main function of `cordon zygote`. The control socket is standard input. Never returns before the supervisor goes away.
pub fn zygote_main(warm: Warm) -> ! {
    let code = match begin(warm) {
        Ok(()) => 0,
        Err(error) => {
            report_failure(&error);
            1
        }
    };
    os::exit_now(code)
}

/// Tells the supervisor, which is all a zygote can do about an error.
fn report_failure(error: &io::Error) {
    // A failed report changes nothing: the exit that follows is seen as well.
    let _ = send(std::io::stdin().as_fd(), &FromZygote::Failed(error.to_string()), None);
}

/// Outside the pid namespace: takes the order, unshares, forks the zygote proper and stays to die with it.
fn begin(warm: Warm) -> io::Result<()> {
    let started = Instant::now();
    let mut layers = Layers::default();
    let control = std::io::stdin().as_fd().try_clone_to_owned()?;
    let Some(first) = receive::<ToZygote>(&control)? else { return Ok(()) };
    let ToZygote::Begin(order) = first.message else { return Err(io::Error::other("the first message is not an order")) };
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    os::close_all_but(&[0, 1, 2, control.as_raw_fd()])?;
    seal::before_fork(&mut layers);
    match os::fork()? {
        ForkResult::Child => {
            let reporter = control.try_clone()?;
            match Zygote::warm_up(control, order, warm, layers, started) {
                Ok(zygote) => {
                    drop(reporter);
                    zygote.serve()
                }
                // Standard input is detached by now, so the error goes out here.
                Err(error) => send(&reporter, &FromZygote::Failed(error.to_string()), None),
            }
        }
        ForkResult::Parent { child } => {
            drop(control);
            let status = nix::sys::wait::waitpid(child, None)?;
            os::exit_now(i32::from(!matches!(status, WaitStatus::Exited(_, 0))))
        }
    }
}

struct Zygote {
    /// The socket to the supervisor; a cell lets go of it.
    control: Option<OwnedFd>,
    guest: Box<dyn WarmGuest>,
    filter: SeccompCell,
    inherited_data_bytes: u64,
    cells: HashMap<Pid, CellId>,
}

impl Zygote {
    /// Inside the pid namespace: loads, warms and seals.
    fn warm_up(control: OwnedFd, order: ZygoteOrder, warm: Warm, mut layers: Layers, started: Instant) -> io::Result<Self> {
        seal::die_with_parent(&mut layers);
        detach_standard_input()?;
        os::one_arena();
        os::let_kernel_place();
        let guest = warm(&order, inside::out_of_memory).map_err(io::Error::other)?;
        os::inherit_mappings(&std::fs::read_to_string("/proc/self/smaps")?);
        os::start_and_end_a_thread()?;
        os::fill_holes();
        let huge_pages = match order.huge_pages {
            true => os::settle().map(|bytes| bytes as u64).map_err(|error| error.to_string()),
            false => Err("off in the configuration".to_owned()),
        };
        let status = std::fs::read_to_string("/proc/self/status")?;
        let inherited_data_bytes = bytes_of(&status, "VmData:")?;
        let resident_bytes = bytes_of(&status, "VmRSS:")?;
        os::watch_children()?;
        os::refuse_loudly()?;
        os::speak_before_dying()?;
        let filter = SeccompCell::prepare().map_err(io::Error::other)?;
        seal::after_warm_up(&mut layers, &filter, order.kind);
        let sealed = Sealed { layers: layers.into_vec(), facts: guest.facts(), start: started.elapsed(), resident_bytes, huge_pages };
        send(&control, &FromZygote::Sealed(Box::new(sealed)), None)?;
        Ok(Self { control: Some(control), guest, filter, inherited_data_bytes, cells: HashMap::new() })
    }

    /// Serves until the supervisor closes the control socket; the kernel then takes the cells along.
    fn serve(mut self) -> io::Result<()> {
        loop {
            self.report_ended()?;
            if os::await_event(self.control()?)? {
                match receive::<ToZygote>(self.control()?)? {
                    None => return Ok(()),
                    Some(received) => self.obey(received.message, received.descriptor)?,
                }
            }
        }
    }

    fn control(&self) -> io::Result<&OwnedFd> {
        self.control.as_ref().ok_or_else(|| io::Error::other("the control socket is closed"))
    }

    fn tell(&self, message: &FromZygote, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        send(self.control()?, message, descriptor)
    }

    fn obey(&mut self, message: ToZygote, descriptor: Option<OwnedFd>) -> io::Result<()> {
        match (message, descriptor) {
            (ToZygote::Fork(cell), Some(socket)) => self.fork_cell(cell, socket),
            (ToZygote::Fork(cell), None) => self.tell(&FromZygote::NotForked(cell, "no socket came along".into()), None),
            (ToZygote::Begin(_), _) => Err(io::Error::other("a second order")),
        }
    }

    fn fork_cell(&mut self, cell: CellId, socket: OwnedFd) -> io::Result<()> {
        match os::fork() {
            Ok(ForkResult::Child) => self.become_cell(socket),
            Ok(ForkResult::Parent { child }) => {
                self.cells.insert(child, cell);
                self.announce(cell, child)
            }
            Err(error) => self.tell(&FromZygote::NotForked(cell, error.to_string()), None),
        }
    }

    /// Passes the cell's pidfd on. It is opened before the cell can be reaped, so it names this cell and no other.
    fn announce(&self, cell: CellId, child: Pid) -> io::Result<()> {
        let pid = rustix::process::Pid::from_raw(child.as_raw()).ok_or_else(|| io::Error::other("fork gave no pid"))?;
        let announced = match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Ok(pidfd) => self.tell(&FromZygote::Forked(cell), Some(pidfd.as_fd())),
            Err(error) => Err(error.into()),
        };
        // A descriptor that could not be had or passed on costs this cell, which ends when the supervisor lets go of its socket. If the
        // socket to the supervisor itself is the trouble, this fails as well, and the zygote with it.
        announced.or_else(|error| self.tell(&FromZygote::NotForked(cell, format!("its pidfd could not be passed on: {error}")), None))
    }

    /// Reports every child that ended so far.
    fn report_ended(&mut self) -> io::Result<()> {
        while let Some(reaped) = os::reap() {
            let cause = match reaped.status {
                WaitStatus::Exited(_, code) => ExitCause::Code(code),
                WaitStatus::Signaled(_, signal, _) => ExitCause::Signal(signal as i32),
                WaitStatus::Stopped(..)
                | WaitStatus::PtraceEvent(..)
                | WaitStatus::PtraceSyscall(_)
                | WaitStatus::Continued(_)
                | WaitStatus::StillAlive => continue,
            };
            if let Some(cell) = self.cells.remove(&reaped.pid) {
                let exit = Exit { cause, cpu: reaped.cpu, max_rss_bytes: reaped.max_rss_bytes };
                self.tell(&FromZygote::Exited(cell, exit), None)?;
            }
        }
        Ok(())
    }

    /// In the child: from here on this process is a cell.
    fn become_cell(&mut self, socket: OwnedFd) -> ! {
        drop(self.control.take());
        inside::live(Birth { socket, guest: &mut self.guest, filter: &self.filter, inherited_data_bytes: self.inherited_data_bytes })
    }
}

/// Puts /dev/null where the control socket was, so that no guest code finds it at descriptor 0.
fn detach_standard_input() -> io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(null)?;
    Ok(())
}

/// The size that `field` of the text of `/proc/self/status` tells, in bytes.
fn bytes_of(status: &str, field: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| io::Error::other(format!("/proc/self/status has no {field}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_in_bytes_and_its_absence_is_an_error() {
        assert_eq!(bytes_of("VmPeak:\t 1 kB\nVmData:\t     120 kB\n", "VmData:").expect("present"), 120 << 10);
        assert!(bytes_of("VmPeak: 1 kB", "VmData:").is_err());
    }
}
