//! How another `rootzone` of the same user asks a running one for something: a socket in the data directory.
//!
//! Whoever may enter the directory may ask. A request is one line, and so is the answer.

#[cfg(unix)]
pub(crate) use unix::{ask_for_backup, serve};

#[cfg(unix)]
mod unix {
    use std::{
        fs,
        io::{self, BufRead, BufReader, Write},
        os::unix::{ffi::OsStrExt, fs::PermissionsExt, net::UnixStream as StdUnixStream},
        path::{Path, PathBuf},
        time::Duration,
    };

    use anyhow::{Context, bail};
    use mqtt_broker::Server;
    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as AsyncBufReader},
        net::{UnixListener, UnixStream},
        time::timeout,
    };

    /// Answers requests until the process ends. A broker that cannot be asked runs all the same.
    pub(crate) fn serve(directory: &Path, server: &Server) {
        let listener = match listen(&directory.join(NAME)) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(
                    "`rootzone backup` cannot reach this broker: {}: {error}; stop it for a backup, or give it a \
                     data directory with a shorter path",
                    directory.join(NAME).display()
                );
                return;
            }
        };
        let server = server.clone();
        tokio::spawn(async move {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    let server = server.clone();
                    tokio::spawn(async move {
                        // Whoever asked has gone.
                        let _ = answer(stream, &server).await;
                    });
                }
            }
        });
    }

    /// Asks the broker that uses the directory to write a copy of its store.
    pub(crate) fn ask_for_backup(directory: &Path, file: &Path) -> anyhow::Result<()> {
        if file.as_os_str().as_bytes().contains(&b'\n') {
            bail!("the name of the copy must not have a line break");
        }
        let mut stream = StdUnixStream::connect(directory.join(NAME)).with_context(|| {
            let directory = directory.display();
            format!("a broker uses {directory} but cannot be asked for a copy")
        })?;
        stream.write_all(&[BACKUP, file.as_os_str().as_bytes(), b"\n"].concat())?;
        let mut answer = String::new();
        BufReader::new(stream)
            .read_line(&mut answer)
            .context("the broker did not answer")?;
        match answer.trim_end() {
            OK => Ok(()),
            "" => bail!("the broker ended before the copy was written"),
            reason => bail!("{reason}"),
        }
    }

    fn listen(path: &Path) -> io::Result<UnixListener> {
        // The directory is ours alone: what is left there is of a broker that is gone.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    async fn answer(stream: UnixStream, server: &Server) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut request = Vec::new();
        let mut reader = AsyncBufReader::new(reader).take(REQUEST_BYTES);
        let read = timeout(PATIENCE, reader.read_until(b'\n', &mut request)).await;
        read.map_err(|_| io::ErrorKind::TimedOut)??;
        let file = request
            .strip_prefix(BACKUP)
            .and_then(|rest| rest.strip_suffix(b"\n"));
        let line = match file {
            None => "not understood: the two programs are of different versions".to_owned(),
            Some(file) => {
                let file = PathBuf::from(std::ffi::OsStr::from_bytes(file));
                match server.back_up(file).await {
                    Ok(()) => OK.to_owned(),
                    Err(error) => format!("cannot write the copy: {error}").replace('\n', " "),
                }
            }
        };
        writer.write_all(format!("{line}\n").as_bytes()).await
    }

    const NAME: &str = "control.sock";
    const BACKUP: &[u8] = b"backup ";
    const OK: &str = "ok";
    const REQUEST_BYTES: u64 = 8192;
    const PATIENCE: Duration = Duration::from_secs(5);
}

#[cfg(not(unix))]
pub(crate) fn serve(_directory: &std::path::Path, _server: &mqtt_broker::Server) {}

#[cfg(not(unix))]
pub(crate) fn ask_for_backup(
    directory: &std::path::Path,
    _file: &std::path::Path,
) -> anyhow::Result<()> {
    anyhow::bail!(
        "a broker uses {}, and on this system it must be stopped first",
        directory.display()
    )
}
