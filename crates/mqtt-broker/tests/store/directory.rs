//! A data directory belongs to one process and one format.

use mqtt_broker::store::{ChangeSet, DataDirectory, OpenError, Store, check, repair};

use crate::world::contents;

#[test]
fn a_second_opening_is_refused_and_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let opened = DataDirectory::open(&path, 1).unwrap();
    let error = DataDirectory::open(&path, 1).unwrap_err();
    let message = error.to_string();
    let id = std::process::id();
    assert!(matches!(error, OpenError::InUse { process_id: Some(found), .. } if found == id));
    assert!(message.contains(&format!("process {id}")), "{message}");
    assert!(message.contains("rootzone.lock"), "{message}");
    drop(opened);
    DataDirectory::open(&path, 1).unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_user_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    drop(DataDirectory::open(&path, 1).unwrap());
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.clone()), 0o700);
    assert_eq!(mode(path.join("rootzone.redb")), 0o600);
}

#[test]
fn another_format_is_refused_and_repair_converts_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = DataDirectory::open(folder.path(), 1).unwrap();
    let mut changes = ChangeSet::new();
    changes.put(b"key", |value| value.extend_from_slice(b"old"));
    opened.store.commit(&changes).unwrap();
    drop(opened);

    let message = DataDirectory::open(folder.path(), 2)
        .unwrap_err()
        .to_string();
    assert!(message.contains("has format 1"), "{message}");
    assert!(message.contains("rootzone repair --data-dir"), "{message}");
    assert!(repair(folder.path(), 2, &mut |_, _, _, _| false).is_err());

    let repaired = repair(folder.path(), 2, &mut |format, key, _, changes| {
        changes.put(key, |value| value.push(format as u8));
        true
    })
    .unwrap();
    assert!(repaired.set_aside.exists());
    assert!(repaired.is_complete);
    let mut opened = DataDirectory::open(folder.path(), 2).unwrap();
    assert_eq!(
        contents(&mut opened.store),
        [(b"key".to_vec(), vec![1])].into()
    );
    drop(opened);
    let report = check(folder.path()).unwrap();
    assert_eq!(
        (report.format, report.n_entries, report.is_whole),
        (Some(2), 1, true)
    );
}
