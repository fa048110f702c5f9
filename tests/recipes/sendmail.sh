# packages: sendmail-bin sensible-mda maildrop m4
# The recipe for Sendmail in docs/servers.md: `server.sh RECIPE`, in the server's root. Leaves the server running, and
# the rules that read what it delivers in /recipe/rules.
set -eu

recipe_mailer() {
    cat >/etc/mail/sendmail.mc <<'MC'
divert(0)dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Port=smtp, Addr=127.0.0.1')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
FEATURE(`mailertable', `hash /etc/mail/mailertable')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
MAILER_DEFINITIONS
Marchive,	P=/usr/local/sbin/archive, F=DFMPSnu, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP,
	T=DNS/RFC822/X-Unix, U=all:all, D=/home/all, A=archive $u
MC
    m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf
    printf 'example.com\tarchive:all\n' >/etc/mail/mailertable
    makemap hash /etc/mail/mailertable </etc/mail/mailertable
    echo example.com >/etc/mail/relay-domains
    cat >/usr/local/sbin/archive <<'ARCHIVE'
#!/bin/sh
{ printf 'X-Envelope-To: %s\n' "$1"; cat; } | exec /usr/bin/maildrop /etc/archive.filter
ARCHIVE
    chmod 755 /usr/local/sbin/archive
    echo 'to "/home/all/Maildir"' >/etc/archive.filter
    su all -s /bin/sh -c 'maildirmake.maildrop /home/all/Maildir'
}

# As root, who in some namespaces may not write where others alone may.
mkdir -p /var/spool/mqueue /var/run/sendmail/mta /var/lib/sendmail/host_status
chown -R root:root /etc/mail /var/spool/mqueue /var/lib/sendmail
chmod 755 /etc/mail
chmod 700 /var/spool/mqueue
echo '127.0.0.1 mx.example.com localhost' >/etc/hosts
"recipe_$1"
echo '# a copy each' >/recipe/rules
sendmail -bD -q5s >/dev/null 2>&1 &
