#!/bin/sh
# Starts a Grid Engine of one machine in a folder, runs a command with it, and stops it again.
#   unshare --mount --pid --fork --mount-proc --kill-child sh with_sge.sh FOLDER COMMAND...
# As root, with Debian's gridengine-master, -exec and -client, and SGE_QMASTER_PORT and SGE_EXECD_PORT
# set. All that it started ends with the namespace of its processes. The name of the machine gets the address of its network, since Grid Engine refuses that of loopback.
set -eu
folder=$1
shift
export SGE_ROOT="$folder/root" SGE_CELL=default
# The address in the mount namespace of this script alone.
host=$(hostname)
address=$(hostname -I | tr ' ' '\n' | grep -m1 -E '^[0-9]+(\.[0-9]+){3}$')
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$host" > "$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts

mkdir -p "$SGE_ROOT/default/common" "$folder/qmaster/job_scripts" "$folder/execd" "$folder/db"
for name in bin util utilbin lib; do ln -s "/var/lib/gridengine/$name" "$SGE_ROOT/$name"; done
share=/usr/share/gridengine
sed -e "s#/var/spool/gridengine/spooldb#$folder/db#; s#/var/spool/gridengine#$folder#" \
    -e 's#sgeadmin#none#' "$share/default-bootstrap" > "$SGE_ROOT/default/common/bootstrap"
sed -e "s#/var/spool/gridengine/execd#$folder/execd#; s#^reporting_params.*#reporting_params accounting=true reporting=false flush_time=00:00:01 joblog=false sharelog=00:00:00#" \
    -e 's#^min_uid.*#min_uid 0#; s#^min_gid.*#min_gid 0#' \
    "$share/default-configuration" > "$folder/configuration"
echo "$host" > "$SGE_ROOT/default/common/act_qmaster"
{
    /usr/lib/gridengine/spoolinit berkeleydb libspoolb "$folder/db" init
    /usr/lib/gridengine/spooldefaults configuration "$folder/configuration"
    /usr/lib/gridengine/spooldefaults complexes "$share/util/resources/centry"
    /usr/lib/gridengine/spooldefaults usersets "$share/util/resources/usersets"
    /usr/lib/gridengine/spooldefaults managers root
} > "$folder/setup.log" 2>&1

stop() {
    for file in "$folder/qmaster/qmaster.pid" "$folder/execd/$host/execd.pid" "$folder/execd/execd.pid"; do
        [ ! -f "$file" ] || kill "$(cat "$file")" 2> /dev/null || true
    done
}
trap stop EXIT
/usr/lib/gridengine/sge_qmaster >> "$folder/setup.log" 2>&1
tries=0
until qconf -sh > /dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$folder/setup.log" "$folder/qmaster/messages" >&2; exit 1; }
    sleep 0.2
done
{
    qconf -as "$host" || true
    qconf -ah "$host" || true
    cat > "$folder/host" << END
hostname $host
load_scaling NONE
complex_values gpu=1,h_vmem=8G
user_lists NONE
xuser_lists NONE
projects NONE
xprojects NONE
usage_scaling NONE
report_variables NONE
END
    qconf -sc | sed 's/^h_vmem .*/h_vmem h_vmem MEMORY <= YES YES 1G 0/' > "$folder/complexes"
    echo 'gpu gpu INT <= YES JOB 0 0' >> "$folder/complexes"
    qconf -Mc "$folder/complexes"
    qconf -Ae "$folder/host"
    cat > "$folder/pe" << 'END'
pe_name smp
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
END
    qconf -Ap "$folder/pe"
    /usr/lib/gridengine/sge_execd
    printf 'group_name @allhosts\nhostlist %s\n' "$host" > "$folder/group"
    qconf -Ahgrp "$folder/group"
    qconf -sq > "$folder/queue" 2> /dev/null || true
    sed -e 's/^qname .*/qname main/; s/^hostlist .*/hostlist @allhosts/; s/^slots .*/slots 4/; s/^pe_list .*/pe_list smp/; s/^shell .*/shell \/bin\/sh/; s/^load_thresholds .*/load_thresholds NONE/; s/^seq_no .*/seq_no 0/' "$folder/queue" > "$folder/main"
    qconf -Aq "$folder/main"
    # Schedules at once and not every fifteen seconds.
    qconf -ssconf | sed 's/^schedule_interval .*/schedule_interval 0:0:1/; s/^flush_submit_sec .*/flush_submit_sec 1/; s/^flush_finish_sec .*/flush_finish_sec 1/' > "$folder/scheduler"
    qconf -Msconf "$folder/scheduler"
} >> "$folder/setup.log" 2>&1
"$@"
