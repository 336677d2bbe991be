//! Which process listens on a port, where the system tells.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Names the process that listens on a port, like `mosquitto (process 4711)`.
///
/// `None` where there is no `/proc` and for processes of other users.
pub(crate) fn find(port: u16) -> Option<String> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .collect();
    let sockets: Vec<PathBuf> = inodes
        .iter()
        .map(|inode| PathBuf::from(format!("socket:[{inode}]")))
        .collect();
    let process = fs::read_dir("/proc")
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|process| holds_any(process, &sockets).unwrap_or(false))?;
    let name = fs::read_to_string(process.join("comm")).ok()?;
    let id = process.file_name()?.to_str()?;
    Some(format!("{} (process {id})", name.trim()))
}

/// The sockets that listen on a port, from a table of `/proc/net`.
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_ascii_whitespace().collect();
            let (_, local_port) = columns.get(1)?.rsplit_once(':')?;
            let is_meant = u16::from_str_radix(local_port, 16) == Ok(port)
                && columns.get(3) == Some(&LISTENING);
            is_meant.then(|| columns.get(9)?.parse().ok()).flatten()
        })
        .collect()
}

fn holds_any(process: &Path, sockets: &[PathBuf]) -> io::Result<bool> {
    Ok(fs::read_dir(process.join("fd"))?
        .filter_map(Result::ok)
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| sockets.contains(&target)))
}

/// TCP_LISTEN in the table's `st` column.
const LISTENING: &str = "0A";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_of_the_port_are_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:075B 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0000000000000000 100 0 0 10 0
";
        assert_eq!(listening_inodes(table, 1883), [4242]);
        assert_eq!(listening_inodes(table, 8080), [4244]);
        assert!(listening_inodes(table, 1).is_empty());
    }
}
