//! Who this process is, so that a later one can tell whether it still lives.

use std::sync::OnceLock;

/// The machine's name on its network.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The person's login: from the environment, else from the list of users, else the user id.
pub fn login() -> String {
    ["LOGNAME", "USER", "USERNAME"]
        .iter()
        .find_map(|v| std::env::var(v).ok().filter(|name| !name.trim().is_empty()))
        .or_else(|| name_in(&std::fs::read_to_string("/etc/passwd").ok()?, uid()))
        .unwrap_or_else(|| format!("uid{}", uid()))
}

/// The name of a user in a list of the form `name:password:uid:…`.
fn name_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The program and its version, as sessions and runs record it.
pub fn program() -> &'static str {
    concat!("hardcase ", env!("CARGO_PKG_VERSION"))
}

/// This process: its number and, where the system tells, the moment it started (numbers are used again), and in which boot and which space of
/// process numbers these count: containers and cloned machines of one name each have their own.
pub fn identity() -> String {
    let pid = std::process::id();
    match (started(pid), surroundings()) {
        (Some(ticks), Some(surroundings)) => format!("{pid}:{ticks}:{surroundings}"),
        (Some(ticks), None) => format!("{pid}:{ticks}"),
        (None, _) => pid.to_string(),
    }
}

/// Whether a process of this host's name runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Alive,
    Gone,
    /// It counts in another boot or another space of process numbers, of which nothing is seen from here.
    Elsewhere,
}

/// Whether the process of that identity runs, which gave this host's name.
pub fn life(identity: &str) -> Life {
    let mut parts = identity.splitn(3, ':');
    let (pid, ticks, around) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let Some((number, pid)) =
        pid.parse::<i32>().ok().and_then(|n| Some((n, rustix::process::Pid::from_raw(n)?)))
    else {
        return Life::Gone;
    };
    if around.is_some() && around != surroundings() {
        return Life::Elsewhere;
    }
    let alive = match (ticks, started(number.unsigned_abs())) {
        (Some(then), Some(now)) => then == now,
        (Some(_), None) if std::path::Path::new("/proc/self/stat").exists() => false,
        _ => !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)),
    };
    if alive { Life::Alive } else { Life::Gone }
}

/// The boot of this machine and the space in which this process has its number.
fn surroundings() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
        let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).take(12).collect::<String>();
        let number: String = space.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
        Some(format!("{}-{number}", digits(&boot)))
    });
    found.as_deref()
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
    fn a_login_that_the_environment_does_not_name_is_in_the_list_of_users() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken\nada:x:1000:1000:Ada:/home/ada:/bin/sh\n";
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        assert_eq!(name_in(passwd, 1000).as_deref(), Some("ada"));
        assert_eq!(name_in(passwd, 7), None);
    }

    #[test]
    fn this_process_lives_and_an_ended_one_does_not() {
        assert_eq!(life(&identity()), Life::Alive);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = format!("{}:1", child.id());
        child.wait().unwrap();
        assert_eq!(life(&id), Life::Gone);
        assert_eq!(life("nonsense"), Life::Gone);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn of_a_process_in_another_container_or_on_a_clone_of_this_machine_nothing_is_known() {
        let mine = identity();
        let (_, around) = mine.rsplit_once(':').unwrap();
        let (boot, space) = around.split_once('-').unwrap();
        for elsewhere in [format!("1:1:{boot}-1"), format!("1:1:000000000000-{space}")] {
            assert_eq!(life(&elsewhere), Life::Elsewhere, "{elsewhere}");
        }
        assert_eq!(life(&format!("1:1:{around}")), Life::Gone);
    }
}
