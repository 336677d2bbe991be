//! Ports: whether one is free, and who has it if not.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Fails, naming the holder and the way out, if nothing more can listen on this port of the loopback interface.
pub(crate) fn check_free(port: u16, what: &str, option: &str) -> Result<()> {
    let Err(why) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
        return Ok(());
    };
    if why.kind() != ErrorKind::AddrInUse {
        bail!("cannot listen on port {port} ({what}): {why}; choose another with {option}");
    }
    let holder = holder(port).unwrap_or_else(|| "another process".to_owned());
    bail!(
        "port {port} ({what}) is in use by {holder}; stop it, or choose another port with {option}"
    )
}

/// The process that listens on a port, as Linux tells it. Others' processes are visible to root only.
fn holder(port: u16) -> Option<String> {
    let tables: String = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .collect();
    let sockets: Vec<String> = listening_inodes(&tables, port)
        .into_iter()
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let id = process.file_name().to_string_lossy().into_owned();
        if id.parse::<u32>().is_err() {
            continue;
        }
        let Ok(files) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = files
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|link| {
                sockets
                    .iter()
                    .any(|inode| link.as_os_str() == inode.as_str())
            });
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            return Some(format!("{} (process {id})", name.trim()));
        }
    }
    None
}

/// The sockets that listen on a port, from tables in the form of `/proc/net/tcp`.
fn listening_inodes(tables: &str, port: u16) -> Vec<&str> {
    tables
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let local = fields.next()?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?;
            let (_, local_port) = local.rsplit_once(':')?;
            let listens = state == TCP_LISTEN && u16::from_str_radix(local_port, 16) == Ok(port);
            listens.then_some(inode)
        })
        .collect()
}

const TCP_LISTEN: &str = "0A";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_of_the_port_are_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1571 1 0 100\n   \
                     1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1572 1 0 100\n   \
                     2: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1573 1 0 100\n";
        assert_eq!(listening_inodes(table, 8080), ["1571"]);
        assert_eq!(listening_inodes(table, 1883), ["1573"]);
        assert!(listening_inodes(table, 80).is_empty());
    }

    #[test]
    fn a_port_in_use_is_reported_with_its_holder_and_the_option() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = check_free(port, "page", "--port").unwrap_err().to_string();
        assert!(
            error.contains(&format!("port {port} (page) is in use by")),
            "{error}"
        );
        assert!(error.contains("--port"), "{error}");
        if cfg!(target_os = "linux") {
            assert!(
                error.contains(&format!("(process {})", std::process::id())),
                "{error}"
            );
        }
    }
}
