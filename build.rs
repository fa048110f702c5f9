//! Says whether the sources are a checkout of their own, as `--version` names the commit then. A tarball that was
//! unpacked within another project's checkout has nothing to do with the commits there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(git_checkout)");
    if std::path::Path::new(".git").exists() {
        println!("cargo::rustc-cfg=git_checkout");
    }
}
