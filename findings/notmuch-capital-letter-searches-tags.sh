#!/bin/bash
# notmuch 0.37 (Debian 12): a word that begins with a capital letter, that stands in quotation marks or that ends with * also
# finds messages by their tags, which a word in small letters does not: `notmuch search Holiday` finds what is tagged holiday,
# and `notmuch search holiday` does not. notmuch-search-terms(7) says that free text is looked for in the body, the subject,
# and the sender and recipient headers. Expected from memory: tags are found by tag: alone, and the case of a word is all one
# but for stemming.
#
# So whoever counts what mentions a word, and writes it with a capital letter or in quotes to avoid stemming, counts tags too.
set -euo pipefail
version=0.37-1+b1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
packages="libnotmuch5=$version notmuch=$version libassuan0 libgmime-3.0-0 libgpg-error0 libgpgme11 libsexp1 libtalloc2 libxapian30 libglib2.0-0"
# shellcheck disable=SC2086
apt-get download $packages >/dev/null 2>&1 || { echo "needs the package lists of Debian 12: apt-get update"; exit 1; }
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$work/root" -name 'libnotmuch.so.5*' | head -1)")
export LD_LIBRARY_PATH NOTMUCH_CONFIG=$work/config
notmuch=$work/root/usr/bin/notmuch
mkdir -p mail/cur mail/new mail/tmp
printf '%s\n' 'From: a@example.com' 'To: b@example.com' 'Subject: one' 'Message-ID: <1@example.com>' \
    'Date: Mon, 06 Jan 2025 10:00:00 +0000' '' 'Nothing of the kind.' > mail/cur/1:2,S
printf '[database]\npath=%s\n[user]\nname=x\nprimary_email=x@example.com\n[new]\ntags=\n' "$work/mail" > config
"$notmuch" new --quiet
"$notmuch" tag +holiday id:1@example.com
seen=$(for query in 'tag:holiday' 'holiday' 'Holiday' '"holiday"' 'holi*' 'subject:Holiday'; do
    echo "$query: $("$notmuch" count "$query")"
done)
expected='tag:holiday: 1
holiday: 0
Holiday: 1
"holiday": 1
holi*: 1
subject:Holiday: 0'
echo "$("$notmuch" --version), one message without the word, tagged holiday:"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "This has changed; seen before:"; echo "$expected"; exit 1; }
