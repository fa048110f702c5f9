# packages: opensmtpd
# The recipe for OpenSMTPD in docs/servers.md: `server.sh RECIPE`, in the server's root. Leaves the server running, and
# the rules that read what it delivers in /recipe/rules.
set -eu

recipe_catch_all() {
    cat >/etc/smtpd.conf <<'CONF'
listen on 127.0.0.1 hostname mx.example.com
table catchall { "@" = "all" }
action "all" maildir virtual <catchall>
match from any for domain "example.com" action "all"
CONF
}

"recipe_$1"
echo '# a copy each' >/recipe/rules
smtpd
