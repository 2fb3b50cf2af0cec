//! containerd's configuration: that of the guide, and what keeps this containerd to itself.

use std::fs;
use std::path::Path;

/// The guide.
const GUIDE: &str = include_str!("../../../../docs/kubernetes.md");

/// The image of a pod's own container.
pub(crate) const PAUSE: &str = "example.org/runj/pause:latest";

/// Writes it for that release, with everything in `path`.
pub(crate) fn write(version: &str, path: &Path) {
    for (file, mode) in [("host", "inherit"), ("own", "new"), ("none", "disable")] {
        let text = block("json", &format!("{mode:?}"));
        fs::write(path.join(file).with_extension("json"), text).unwrap();
    }
    // No network is configured there.
    fs::create_dir_all(path.join("cni")).unwrap();
    fs::write(path.join("config.toml"), text(version, path)).unwrap();
}

fn text(version: &str, path: &Path) -> String {
    const OLD: &str = "io.containerd.grpc.v1.cri";
    const NEW: &str = "io.containerd.cri.v1.runtime";
    let old = version.starts_with("1.");
    let guide = if version.starts_with("1.6.") {
        block("toml", "version = 2").to_owned()
    } else if old {
        block("toml", "version = 3").replace("version = 3", "version = 2").replace(NEW, OLD)
    } else {
        block("toml", "version = 3").to_owned()
    };
    let guide = guide.replace("/etc/runj", path.to_str().unwrap());
    // It begins with the version of the format, which no table may precede.
    let (format, handlers) = guide.split_once('\n').unwrap();
    let cri = if old { OLD } else { NEW };
    let image = if old {
        format!("[plugins.{OLD:?}]\nsandbox_image = {PAUSE:?}\n")
    } else {
        let table = "io.containerd.cri.v1.images";
        format!("[plugins.{table:?}.pinned_images]\nsandbox = {PAUSE:?}\n")
    };
    // It listens elsewhere, and cannot be left out: CRI depends on it. 1.6 has none.
    let nri = if version.starts_with("1.6.") {
        ""
    } else {
        "[plugins.\"io.containerd.nri.v1.nri\"]\ndisable = true\n"
    };
    format!(
        "{format}\nroot = {:?}\nstate = {:?}\ndisabled_plugins = {:?}\n\
         [grpc]\naddress = {:?}\n[debug]\nlevel = \"debug\"\n\
         [plugins.{cri:?}.cni]\nconf_dir = {:?}\n{image}{nri}{handlers}",
        path.join("root"),
        path.join("state"),
        // What writes elsewhere.
        ["io.containerd.internal.v1.opt"],
        path.join("sock"),
        path.join("cni"),
    )
}

/// The guide's block in that language with that word.
fn block(language: &str, word: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let blocks = GUIDE.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut blocks = blocks.filter(|block| block.contains(word));
    blocks.next().unwrap_or_else(|| panic!("docs/kubernetes.md has no {language} with {word:?}"))
}
