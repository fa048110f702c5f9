# Starts Cyrus IMAP; lies as /peer/start in its root. Standard input is not read, the password is in /peer/password.
set -e
saslpasswd2 -p -c -f /peer/sasldb2 -u example.com all </peer/password
mkdir /peer/lib /peer/spool
chown -R cyrus:mail /peer/sasldb2 /peer/lib /peer/spool
su -s /bin/sh cyrus -c /usr/lib/cyrus/bin/makedirs
exec /usr/sbin/cyrmaster -D -M /peer/cyrus.conf -p /peer/lib/master.pid
