# packages: postfix postfix-pcre
# The recipes for Postfix in docs/servers.md: `server.sh RECIPE`, in the server's root. Leaves the server running, and
# the rules that read what it delivers in /recipe/rules.
set -eu

main() { postconf -e "$@"; }
table() { # name, contents
    printf '%s\n' "$2" >"/etc/postfix/$1"
    postmap "/etc/postfix/$1"
}
rules() { cat >/recipe/rules; }

recipe_catch_all() {
    main virtual_alias_domains=example.com virtual_alias_maps=hash:/etc/postfix/virtual
    table virtual '@example.com all@localhost'
    rules <<'RULES'
# a copy each
own_addresses = ["all@localhost"]
RULES
}

recipe_recipient_bcc_maps() {
    # Who else gets the mail does not matter here.
    main relay_domains=example.com relay_transport=discard:
    main recipient_bcc_maps=pcre:/etc/postfix/archive.pcre
    main virtual_alias_domains=example.com.archive virtual_alias_maps=hash:/etc/postfix/virtual
    # shellcheck disable=SC2016 # Postfix expands it
    echo '/^(.+)@example\.com$/    $1@example.com.archive' >/etc/postfix/archive.pcre
    table virtual '@example.com.archive all@localhost'
    rules <<'RULES'
# a copy each
own_addresses = ["all@localhost"]
[domain_aliases]
"example.com.archive" = "example.com"
RULES
}

recipe_prepend() {
    main relay_domains=example.com relay_transport=discard: always_bcc=all@localhost
    local refuse='reject_unauth_destination, reject_unlisted_recipient'
    main "smtpd_recipient_restrictions=$refuse, check_recipient_access regexp:/etc/postfix/envelope"
    # shellcheck disable=SC2016 # Postfix expands it
    echo '/^(.+)$/    PREPEND X-Envelope-To: $1' >/etc/postfix/envelope
    rules <<<'own_addresses = ["all@localhost"]'
}

[ -f /recipe/main.cf ] || cp /etc/postfix/main.cf /recipe
cp /recipe/main.cf /etc/postfix/main.cf
main myhostname=mx.example.com mydestination=localhost inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
    home_mailbox=Maildir/ local_recipient_maps= alias_maps= smtpd_tls_security_level=none disable_dns_lookups=yes \
    maillog_file=/var/log/postfix.log
rm -f /var/spool/postfix/pid/* /var/lib/postfix/master.lock
"recipe_$1"
postfix start
