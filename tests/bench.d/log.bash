# shellcheck shell=bash disable=SC2034,SC2154
# A large log, and the server's own client that reads it. For benches, behind tests/lib/cluster.bash.

reader=(mariadb-binlog)
if [[ $MMM_SERVER == mysql-9 ]]; then reader=("${RUN[@]}" "$TREE/usr/bin/mysqlbinlog"); fi

# fill HOST MEBIBYTES BYTES — a log of that size in transactions of so many bytes. What surrounds the rows of each takes
# some 300 bytes.
fill() {
  client_of "$(host_dir "$1")" <<EOF
SET SESSION binlog_format = ROW;
CREATE TABLE app.blobs (id INT PRIMARY KEY, body BLOB) ENGINE = InnoDB;
INSERT INTO app.blobs SELECT seq, '' FROM $(numbers 16);
DELIMITER //
CREATE PROCEDURE app.fill () BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < ($2 << 20) DIV $3 DO
    UPDATE app.blobs SET body = REPEAT(CHAR(65 + i % 26), ($3 - 300) DIV 2) WHERE id = 1 + i % 16;
    SET i = i + 1;
  END WHILE;
END //
CALL app.fill() //
EOF
}
