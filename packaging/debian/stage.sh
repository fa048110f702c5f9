#!/bin/sh
# Puts everything that the Debian package has beside the program into target/deb, with its changelog and copyright file.
set -eu
cd "$(dirname "$0")/../.."

stage=target/deb
rm -rf $stage
DESTDIR=$stage PREFIX=/usr CHANGES=changelog.gz ZSH_DIR=share/zsh/vendor-completions packaging/install.sh data >/dev/null
# By the name that Debian gives it; it is compressed on the way.
mv $stage/usr/share/doc/dropkeep/CHANGELOG.md $stage/usr/share/doc/dropkeep/changelog

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
maintainer=${DEB_MAINTAINER:-$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' Cargo.toml)}
# The same sources make the same package.
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
cat >$stage/changelog <<END
dropkeep ($version-1) unstable; urgency=medium

  * /usr/share/doc/dropkeep/changelog.gz says what changed.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$date")
END

# Whose work is linked in.
packaging/debian/copyright.py >$stage/copyright
