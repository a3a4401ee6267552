//! Who this process is, so that a later one can tell whether it still lives.

/// The machine's name on its network.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The person's login: from the environment, else the user id.
pub fn login() -> String {
    ["LOGNAME", "USER", "USERNAME"]
        .iter()
        .find_map(|v| std::env::var(v).ok().filter(|name| !name.trim().is_empty()))
        .unwrap_or_else(|| format!("uid{}", uid()))
}

pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The program and its version, as sessions and runs record it.
pub fn program() -> &'static str {
    concat!("hardcase ", env!("CARGO_PKG_VERSION"))
}

/// This process: its number and, where the system tells, the moment it started (numbers are used again).
pub fn identity() -> String {
    let pid = std::process::id();
    match started(pid) {
        Some(ticks) => format!("{pid}:{ticks}"),
        None => pid.to_string(),
    }
}

/// Whether the process of that identity runs on this host.
pub fn is_alive(identity: &str) -> bool {
    let (pid, ticks) = match identity.split_once(':') {
        Some((pid, ticks)) => (pid, Some(ticks)),
        None => (identity, None),
    };
    let Ok(number) = pid.parse::<i32>() else {
        return false;
    };
    let Some(pid) = rustix::process::Pid::from_raw(number) else {
        return false;
    };
    match (ticks, started(number.unsigned_abs())) {
        (Some(then), Some(now)) => then == now,
        (Some(_), None) if std::path::Path::new("/proc/self/stat").exists() => false,
        _ => !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)),
    }
}

/// Field 22 of /proc/PID/stat: clock ticks between boot and the process's start; none for one that has ended but was not yet collected.
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets that may hold anything; what follows its last bracket is regular.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_an_ended_one_does_not() {
        assert!(is_alive(&identity()));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = format!("{}:1", child.id());
        child.wait().unwrap();
        assert!(!is_alive(&id));
        assert!(!is_alive("nonsense"));
    }
}
