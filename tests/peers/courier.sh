# Starts Courier's servers as Debian's scripts do, but in the foreground; lies as /peer/start in their root. The
# password is in /peer/password.
set -e
password=$(cat /peer/password)
hash=$(printf "%s\n%s\n" "$password" "$password" | userdbpw -md5)
printf 'all@example.com\tuid=65534|gid=65534|home=/peer/mail|mail=/peer/mail/all@example.com|systempw=%s\n' "$hash" \
    >/etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
mkdir /run/courier/authdaemon
chown courier /run/courier/authdaemon
set -a
(
    . /etc/courier/authdaemonrc
    exec /usr/lib/courier/courier-authlib/authdaemond
) &

listen() { # configuration, whether TLS comes first, the login program and what it starts
    . "/etc/courier/$1"
    . "/etc/courier/$1-ssl"
    port=$PORT
    tls=
    IMAP_STARTTLS=$IMAPDSTARTTLS
    if [ "$2" = ssl ]; then
        port=$SSLPORT
        tls="$COURIERTLS -server -tcpd -user=courier"
        IMAP_TLS=1 POP3_TLS=1 IMAP_STARTTLS=NO POP3_STARTTLS=NO
    fi
    shift 2
    # shellcheck disable=SC2086 # a word an option
    exec couriertcpd -address="$ADDRESS" -maxprocs="$MAXDAEMONS" -maxperip="$MAXPERIP" $TCPDOPTS "$port" $tls \
        "$@" "$MAILDIRPATH"
}
programs=/usr/lib/courier/courier
listen imapd plain $programs/imaplogin /usr/bin/imapd &
listen imapd ssl $programs/imaplogin /usr/bin/imapd &
listen pop3d plain $programs/courierpop3login $programs/courierpop3d &
listen pop3d ssl $programs/courierpop3login $programs/courierpop3d &
# One that cannot have its port ends at once, and then so do all.
wait -n
