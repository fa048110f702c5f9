# packages: exim4-daemon-heavy
# The recipes for Exim in docs/servers.md: `server.sh RECIPE`, in the server's root. Leaves the server running, and the
# rules that read what it delivers in /recipe/rules.
set -eu

rules() { cat >/recipe/rules; }
config() { # statements of acl_rcpt, routers, an option of the transport, rules
    cat >/etc/exim4/exim4.conf <<CONF
primary_hostname = mx.example.com
domainlist local_domains = example.com : localhost
local_interfaces = 127.0.0.1
host_lookup =
rfc1413_hosts =
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = acl_rcpt
begin acl
acl_rcpt:
$1
  accept domains = +local_domains
begin routers
$2
begin transports
archive:
  driver = appendfile
  maildir_format
  directory = /home/all/Maildir
  create_directory
  user = all
  group = all
  $3
  return_path_add
others:
  driver = appendfile
  file = /dev/null
  user = all
  headers_remove = X-Envelope-To
CONF
    rules <<<"${4:-}"
}
unseen='
archive:
  driver = accept
  domains = example.com
  unseen
  no_verify
  transport = archive
others:
  driver = accept
  domains = example.com
  transport = others'
redirect='
all:
  driver = redirect
  domains = example.com
  data = all@localhost
archive:
  driver = accept
  transport = archive'

recipe_envelope_to_add() {
    config '' "$unseen" envelope_to_add '# a copy each'
}

recipe_envelope_to_add_redirect() {
    config '' "$redirect" envelope_to_add
}

recipe_add_header_at_start() {
    # shellcheck disable=SC2016 # Exim expands it
    config '  warn domains = +local_domains
       add_header = :at_start:X-Envelope-To: ${quote_local_part:$local_part}@$domain' "$redirect" ''
}

"recipe_$1"
rm -rf /var/spool/exim4/input /var/spool/exim4/db
exim4 -bV >/dev/null
# Not with -bd: as the child of the namespace's first process it would not go into the background.
exim4 -bdf -q2s >/dev/null 2>&1 &
