//! A data directory belongs to one process and one format.

use std::fs;

use mqtt_broker::store::{
    ChangeSet, DataDirectory, OpenError, Store, StoreErrorKind, check, check_file, repair,
};

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
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
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
    let report = check(folder.path(), &mut |_, _| ()).unwrap();
    assert_eq!(
        (report.format, report.n_entries, report.is_whole),
        (Some(2), 1, true)
    );
}

#[test]
fn looking_for_a_store_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mistyped");
    let errors = [
        DataDirectory::open_whole(&path, 1).map(drop).unwrap_err(),
        check(&path, &mut |_, _| ()).map(drop).unwrap_err(),
        repair(&path, 1, &mut |_, _, _, _| true)
            .map(drop)
            .unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, OpenError::Empty { .. }), "{error}");
    }
    assert!(!path.exists());
}

#[test]
fn what_is_damaged_is_not_repaired_by_those_who_only_read() {
    let folder = tempfile::tempdir().unwrap();
    drop(DataDirectory::open(folder.path(), 1).unwrap());
    let file = folder.path().join("rootzone.redb");
    let mut bytes = fs::read(&file).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&file, &bytes).unwrap();
    let error = DataDirectory::open_whole(folder.path(), 1).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("rootzone repair"), "{message}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_copy_can_be_checked_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = DataDirectory::open(folder.path(), 1).unwrap();
    let copy = folder.path().join("copy");
    opened.store.back_up(&copy).unwrap();
    let report = check_file(&copy, &mut |_, _| ()).unwrap();
    assert!(report.is_whole);
}

#[cfg(unix)]
#[test]
fn nothing_is_acknowledged_that_goes_into_a_file_without_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = DataDirectory::open(folder.path(), 1).unwrap();
    let mut changes = ChangeSet::new();
    changes.put(b"key", |value| value.push(1));
    let file = folder.path().join("rootzone.redb");
    let away = folder.path().join("away");
    fs::rename(&file, &away).unwrap();
    let error = opened.store.commit(&changes).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Failing);
    fs::copy(&away, &file).unwrap();
    assert!(opened.store.commit(&changes).is_err());
    fs::rename(&away, &file).unwrap();
    opened.store.commit(&changes).unwrap();
}

#[test]
fn a_damaged_store_for_which_there_is_no_room_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rootzone.redb");
    fs::write(&file, [7; 5000]).unwrap();
    // Nothing can be made under this name.
    let in_the_way = folder.path().join("rootzone.redb.new");
    fs::create_dir_all(in_the_way.join("folder")).unwrap();
    for _ in 0..2 {
        let error = DataDirectory::open(folder.path(), 1).unwrap_err();
        assert!(matches!(error, OpenError::BeyondRepair { .. }), "{error}");
    }
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["rootzone.lock", "rootzone.redb", "rootzone.redb.new"]
    );
}
