//! Exports that end in the middle: they go on where they were.

use std::{fs, path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use super::{DROPKEEP, FORMATS, Site, counts, out};
use crate::export::support::{
    appliance::number,
    generator::{Mailbox, Settings, sized},
    running::{Running, peak_memory},
    wait_for,
};

const SOON: Duration = Duration::from_secs(60);

/// The process that a command has the work done by.
fn worker(running: &Running) -> Option<u32> {
    let parent = format!("PPid:\t{}\n", running.id());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|id| fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|status| status.contains(&parent)))
}

fn start(site: &Site, dir: &Path, format: &str) -> Running {
    let dir = dir.to_str().unwrap();
    site.appliance.start(&["export", dir, "--format", format, "--json"])
}

#[test]
fn an_export_that_was_killed_goes_on_where_it_was() {
    let site = Site::new("", Mailbox::new(Settings::messages(3_000)));
    for format in FORMATS {
        let dir = site.dir(format);
        let mut cut_off = 0;
        for (round, least) in [1, 1_000, 2_500].into_iter().enumerate() {
            let mut running = start(&site, &dir, format);
            let reached = wait_for(SOON, || out::done(&dir) >= least || !running.is_running());
            assert!(reached);
            // Now the one that watches, now the one that works.
            match (round % 2, worker(&running)) {
                (1, Some(worker)) => {
                    let _ = kill_process(Pid::from_raw(worker as i32).unwrap(), Signal::KILL);
                }
                _ => running.signal(Signal::KILL),
            }
            let outcome = running.wait();
            cut_off += usize::from(outcome.code != Some(0));
            assert!(matches!(outcome.code, None | Some(0 | 1)), "{}", outcome.stderr);
        }
        assert!(cut_off > 0, "none was cut off in the middle");
        let there = out::done(&dir) as u64;
        let last = site.export(format, &["--format", format]).expect(0);
        let [exported, skipped, _] = counts(&last);
        // The one that was left working may have noted some more.
        assert!(skipped >= there, "{skipped} of {there} were there");
        assert_eq!(site.assert_complete(format, format), exported + skipped);
    }
}

#[test]
fn ctrl_c_ends_an_export_in_good_order() {
    let site = Site::new("", Mailbox::new(Settings::messages(3_000)));
    for (format, signal) in FORMATS.into_iter().zip([Signal::INT, Signal::TERM, Signal::INT]) {
        // One that was done before the signal came shows nothing, and then there is another one.
        let mut tried = (0..10).map(|nth| {
            let name = format!("{format} {nth}");
            let dir = site.dir(&name);
            let running = start(&site, &dir, format);
            assert!(wait_for(SOON, || out::done(&dir) > 0));
            running.signal(signal);
            (name, running.wait())
        });
        let (name, outcome) = tried
            .find(|(_, outcome)| outcome.code != Some(0))
            .expect("one that is cut off");
        let dir = site.dir(&name);
        let outcome = outcome.expect(130);
        let result = outcome.json();
        assert_eq!(result["finished"], false);
        assert!(
            outcome.stderr.contains("run the same command again"),
            "{}",
            outcome.stderr
        );
        // All that it counted is there, and noted.
        let exported = number(&result, "exported");
        assert_eq!(out::done(&dir) as u64, exported);
        let last = site.export(&name, &["--format", format]).expect(0);
        assert_eq!(counts(&last)[1], exported);
        site.assert_complete(&name, format);
    }
}

/// Whatever of the files a crash of the machine left: the manifest says what is done.
#[test]
fn torn_files_are_mended() {
    let site = Site::new("", Mailbox::new(Settings::messages(200)));
    for format in FORMATS {
        let total = counts(&site.export(format, &["--format", format]).expect(0))[0];
        let dir = site.dir(format);
        let manifest = match format {
            "mbox" => dir.join("jane.manifest.jsonl"),
            _ => dir.join("jane/manifest.jsonl"),
        };
        let whole = fs::read(&manifest).unwrap();
        let janes = out::lines(&manifest).len() as u64;
        assert!(janes > 3);
        // The last line is torn; then the mbox is shorter than the manifest says; then there is no manifest.
        fs::write(&manifest, &whole[..whole.len() - 7]).unwrap();
        let unfinished = dir.join("dropkeep-export.tmp");
        fs::write(&unfinished, "half a mess").unwrap();
        assert_eq!(
            counts(&site.export(format, &["--format", format]).expect(0)),
            [1, total - 1, 0]
        );
        assert_eq!(fs::read(&manifest).unwrap(), whole);
        site.assert_complete(format, format);
        if format == "mbox" {
            let mbox = fs::OpenOptions::new().write(true).open(dir.join("jane.mbox")).unwrap();
            let line = &out::lines(&manifest)[2];
            mbox.set_len(number(line, "offset") + number(line, "length") - 1)
                .unwrap();
            assert_eq!(
                counts(&site.export(format, &["--format", format]).expect(0)),
                [janes - 2, total - janes + 2, 0]
            );
            site.assert_complete(format, format);
        }
        fs::remove_file(&manifest).unwrap();
        assert_eq!(
            counts(&site.export(format, &["--format", format]).expect(0)),
            [janes, total - janes, 0]
        );
        site.assert_complete(format, format);
    }
}

/// More bytes than it may have in memory, of which those of the store are mapped.
#[test]
fn memory_does_not_grow_with_the_archive() {
    let site = Site::new("", (0..150).map(|number| sized(2_500_000, number)));
    let largest = 2_600_000;
    for format in ["eml", "mbox"] {
        let mut running = start(&site, &site.dir(format), format);
        let mut peak = 0;
        let ended = wait_for(Duration::from_secs(240), || {
            let of_worker = worker(&running).and_then(peak_memory);
            peak = peak.max(of_worker.unwrap_or(0));
            !running.is_running()
        });
        assert!(ended && peak > 0);
        let outcome = running.wait().expect(0);
        assert_eq!(counts(&outcome), [150, 0, 0]);
        println!("{format}: {} KiB, {} KiB", peak >> 10, outcome.peak >> 10);
        assert!(peak < (200 << 20) + 2 * largest, "{} KiB", peak >> 10);
    }
    let disk = site.appliance.disk_usage();
    assert!(
        disk > 230 << 20,
        "the archive of {DROPKEEP} is too small to show it: {disk} bytes"
    );
}
