//! Ports: whether one is free, and who has it if not.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

// The broker's own file: to depend on its crate would mean to build the broker before our first word.
#[path = "../../rootzone/src/port_holder.rs"]
mod port_holder;

/// Fails, naming the holder and the way out, if nothing more can listen on this port of the loopback interface.
pub(crate) fn check_free(port: u16, what: &str, option: &str) -> Result<()> {
    let Err(why) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
        return Ok(());
    };
    if why.kind() != ErrorKind::AddrInUse {
        bail!("cannot listen on port {port} ({what}): {why}; choose another with {option}");
    }
    let holder = port_holder::find(port).unwrap_or_else(|| "another process".to_owned());
    bail!(
        "port {port} ({what}) is in use by {holder}; stop it, or choose another port with {option}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_reported_with_its_holder_and_the_option() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = check_free(port, "page", "--port").unwrap_err().to_string();
        let start = format!("port {port} (page) is in use by ");
        assert!(error.starts_with(&start), "{error}");
        assert!(error.ends_with("with --port"), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.contains(" (process "), "{error}");
        }
    }
}
