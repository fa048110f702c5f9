# Completes dropkeep's commands, options, profiles and users: the program itself is asked.

_dropkeep() {
    local line=${COMP_LINE:0:COMP_POINT} words raw index
    # Words as the shell takes them. Readline's end at @, = and :, which names may have.
    read -a words <<<"$line"
    [[ $line == *[!\\]' ' ]] && words+=("")
    ((index = ${#words[@]} - 1))
    raw=${line##*[!\\] }
    local IFS=$'\n'
    COMPREPLY=($(_DROPKEEP_COMPLETE=bash _CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$index \
        "${words[0]}" -- "${words[@]}" 2>/dev/null))
    # Written as the shell takes it, without what readline leaves where it is.
    local kept=${raw%"$2"} each
    for each in "${!COMPREPLY[@]}"; do
        printf -v 'COMPREPLY[each]' %q "${COMPREPLY[each]}"
        COMPREPLY[each]=${COMPREPLY[each]#"$kept"}
    done
    [[ ${#COMPREPLY[@]} -eq 1 && $COMPREPLY == *[=/] ]] && compopt -o nospace
    return 0
}

complete -o nosort -F _dropkeep dropkeep
