//! The files that hold bodies: each is there, has its length and its checksum, and a row names it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crc_fast::{CrcAlgorithm, Digest, checksum};

use super::rows::{Body, Expected};
use super::{Fault, Look};
use crate::store::disk::open_regular;
use crate::store::row::PackId;
use crate::store::sweep;

/// Bytes that are read at once.
const WINDOW: usize = 1 << 20;

pub(super) fn look(look: &mut Look<'_>, expected: &Expected) -> io::Result<()> {
    let mut bodies: Vec<_> = expected.files.iter().collect();
    bodies.sort_by_key(|(id, _)| **id);
    for (id, body) in bodies {
        file(look, &look.directory.body_file(*id), body);
    }
    let mut packs: Vec<_> = expected.packs.iter().collect();
    packs.sort_by_key(|(id, _)| **id);
    for (id, bodies) in packs {
        pack(look, *id, bodies);
    }
    surplus(look, expected)
}

/// The file of one body.
fn file(look: &mut Look<'_>, path: &Path, body: &Body) {
    look.told.bodies += 1;
    look.told.bytes += body.length;
    let shown = look.shown(path);
    let fault = match read(path) {
        Err(error) => unread(&error),
        Ok((length, _)) if length < body.length => Fault::Missing,
        Ok((length, _)) if length > body.length => Fault::Longer,
        Ok((_, crc64)) if crc64 != body.crc64 => Fault::Changed,
        Ok(_) => return,
    };
    look.find(shown, body.of.clone(), fault);
}

/// The length of a file, and the CRC64NVME of its bytes.
fn read(path: &Path) -> io::Result<(u64, u64)> {
    let mut file = open_regular(path)?;
    let mut crc64 = Digest::new(CrcAlgorithm::Crc64Nvme);
    let (mut window, mut length) = (vec![0; WINDOW], 0);
    loop {
        let read = file.read(&mut window)?;
        if read == 0 {
            return Ok((length, crc64.finalize()));
        }
        crc64.update(&window[..read]);
        length += read as u64;
    }
}

/// What it means that a file could not be read.
fn unread(error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound {
        Fault::Missing
    } else if error.kind() == io::ErrorKind::InvalidData {
        Fault::NoFile
    } else {
        Fault::Unreadable
    }
}

/// The bodies of a pack.
fn pack(look: &mut Look<'_>, id: PackId, bodies: &[(u64, Body)]) {
    let path = look.directory.pack_file(id);
    let shown = look.shown(&path);
    let mut bodies: Vec<_> = bodies.iter().collect();
    bodies.sort_by_key(|(offset, _)| *offset);
    let opened = open_regular(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) = match opened {
        Ok(opened) => opened,
        // A pack that was made and in which nothing lives may be gone already.
        Err(error) if bodies.is_empty() && error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            let fault = unread(&error);
            if bodies.is_empty() {
                look.find(shown.clone(), "", fault);
            }
            for (_, body) in bodies {
                look.find(shown.clone(), body.of.clone(), fault);
            }
            return;
        }
    };
    let (mut end, mut live) = (0, 0);
    for (offset, body) in bodies {
        look.told.bodies += 1;
        look.told.bytes += body.length;
        live += body.length;
        let fault = match offset.checked_add(body.length) {
            Some(after) if after <= length => changed(&file, *offset, body),
            Some(_) | None => Some(Fault::Missing),
        };
        let fault = fault.or((*offset < end).then_some(Fault::Overlap));
        end = offset.saturating_add(body.length);
        if let Some(fault) = fault {
            look.find(format!("{shown} at {offset}"), body.of.clone(), fault);
        }
    }
    look.told.dead_bytes += length.saturating_sub(live);
}

/// What is wrong with the bytes of a body in a pack.
fn changed(file: &File, offset: u64, body: &Body) -> Option<Fault> {
    // A row that claims more than a pack holds was refused before.
    let mut bytes = vec![0; usize::try_from(body.length).ok()?];
    if file.read_exact_at(&mut bytes, offset).is_err() {
        return Some(Fault::Unreadable);
    }
    let crc64 = checksum(CrcAlgorithm::Crc64Nvme, &bytes);
    (crc64 != body.crc64).then_some(Fault::Changed)
}

/// The files that nothing names.
fn surplus(look: &mut Look<'_>, expected: &Expected) -> io::Result<()> {
    for path in files(&look.directory.bodies())? {
        let id = path.file_name().and_then(sweep::body_of);
        // A body in another directory than its own is found by nobody.
        let id = id.filter(|id| look.directory.body_file(*id) == path);
        match id {
            Some(id) if expected.files.contains_key(&id) => {}
            Some(id) if expected.garbage.contains(&id) => look.told.garbage += 1,
            Some(_) | None => {
                let shown = look.shown(&path);
                look.find(shown, "", Fault::Surplus);
            }
        }
    }
    for path in files(&look.directory.packs())? {
        let id = path.file_name().and_then(sweep::body_of);
        let id = id.filter(|id| look.directory.pack_file(PackId(*id)) == path);
        match id {
            Some(id) if expected.packs.contains_key(&PackId(id)) => {}
            Some(id) if expected.garbage.contains(&id) => look.told.garbage += 1,
            Some(_) | None => {
                let shown = look.shown(&path);
                look.find(shown, "", Fault::Surplus);
            }
        }
    }
    Ok(())
}

/// Every file below a directory, which may be missing.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
