-- The pool. FreeRADIUS makes the database from this when it starts and there is none.
CREATE TABLE addresses (
  address  TEXT PRIMARY KEY,
  pool     TEXT NOT NULL,
  nas      TEXT NOT NULL DEFAULT '',
  port     TEXT NOT NULL DEFAULT '',
  username TEXT NOT NULL DEFAULT '',
  client   TEXT NOT NULL DEFAULT '',
  expires  INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX addresses_free ON addresses (pool, expires);
CREATE INDEX addresses_held ON addresses (nas, port);
INSERT INTO addresses (address, pool) VALUES ('198.51.100.11', 'tunnels'), ('198.51.100.12', 'tunnels');
