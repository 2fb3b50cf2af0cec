//! The list of a release's files and their checksums.

/// The SHA-256 of a file, as a MANIFEST has it: lines of fields with tabs between them, the file and
/// its checksum first (FreeBSD's release/scripts/make-manifest.sh).
pub(super) fn digest(manifest: &str, file: &str) -> Option<String> {
    let mut fields = manifest.lines().map(|line| line.split('\t'));
    let mut line = fields.find_map(|mut fields| (fields.next() == Some(file)).then_some(fields))?;
    let digest = line.next()?.trim();
    let legal = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    legal.then(|| digest.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_second_field() {
        let (base, debug) = ("A1".repeat(32), "b2".repeat(32));
        let manifest = format!(
            "base-dbg.txz\t{debug}\t1689\tbase_dbg\t\"Base system (Debugging)\"\toff\n\
             base.txz\t{base}\t26385\tbase\t\"Base system (MANDATORY)\"\ton\n"
        );
        assert_eq!(digest(&manifest, "base.txz"), Some("a1".repeat(32)));
        assert_eq!(digest(&manifest, "base-dbg.txz"), Some(debug));
        assert_eq!(digest(&manifest, "kernel.txz"), None);
        assert_eq!(digest("base.txz\tabc\t1", "base.txz"), None);
        assert_eq!(digest("<html>\nbase.txz\n", "base.txz"), None);
    }
}
