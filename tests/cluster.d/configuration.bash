# shellcheck shell=bash
# The MMM configuration of a host, as the agent's administrator would have written it.

# Writes mmm_common.conf, mmm_agent.conf and a mmm_agent_NAME.conf for every host.
write_configuration() {
  local host=$1 folder name
  folder=$(host_dir "$host")/mysql-mmm
  # Emptied, not replaced: it is mounted in the host.
  find "$folder" -mindepth 1 -delete
  (
    umask 0027
    common_configuration >"$folder/mmm_common.conf"
    agent_configuration "$host" >"$folder/mmm_agent.conf"
    for name in "${HOSTS[@]}"; do
      agent_configuration "$name" >"$folder/mmm_agent_$name.conf"
    done
  )
}

agent_configuration() {
  printf 'include mmm_common.conf\nthis %s\n' "$1"
}

common_configuration() {
  cat <<EOF
active_master_role	writer

<host default>
	cluster_interface	eth0
	pid_path		/run/mmm_agentd.pid
	bin_path		/usr/lib/mysql-mmm/
	replication_user	$REPLICATION_USER
	replication_password	$REPLICATION_PASSWORD
	agent_user		$AGENT_USER
	agent_password		$AGENT_PASSWORD
</host>

<host db1>
	ip	$(host_ip db1)
	mode	master
	peer	db2
</host>

<host db2>
	ip	$(host_ip db2)
	mode	master
	peer	db1
</host>

$(for host in "${HOSTS[@]:2}"; do printf '<host %s>\n\tip\t%s\n\tmode\tslave\n</host>\n\n' "$host" "$(host_ip "$host")"; done)

<role writer>
	hosts	db1, db2
	ips	$WRITER_IP
	mode	exclusive
</role>

<role reader>
	hosts	db1, db2, db3
	ips	${READER_IPS[0]}, ${READER_IPS[1]}, ${READER_IPS[2]}
	mode	balanced
</role>
EOF
}
