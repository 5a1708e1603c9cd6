-- A journal of format 5, as released. Never changed: test_migrate.c opens it with every later program.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL, type TEXT NOT NULL,
    step INTEGER, version INTEGER NOT NULL, data TEXT, hash BLOB NOT NULL);
INSERT INTO events VALUES(1,1,1,1700000000000,'run_accepted',NULL,1,'{"pipeline":"hello","repository":"hello"}',X'540928aed00dd6e6dabc98bbfac5a1275f35ab00a63e6fd98727a1338662da90');
INSERT INTO events VALUES(2,1,2,1700000000005,'run_started',NULL,1,NULL,X'490daca525a4855c667bd33aaef1f4e480893b35dbab6eea246e70fced147ee0');
INSERT INTO events VALUES(3,1,3,1700000000006,'step_starting',0,1,'{"attempt":1}',X'772d2b98297f339da1a312dbe65d2786e84a59274551856936f190335ad4dc10');
INSERT INTO events VALUES(4,1,4,1700000000106,'step_succeeded',0,1,'{"exit":0,"outputs":{"name":"café ''x''"}}',X'3652401570d6946bf544e6d7dc57f4f06928b60e5fa7bb7943b2e9f4a0635a22');
INSERT INTO events VALUES(5,1,5,1700000000206,'run_succeeded',NULL,1,NULL,X'0a15882cc9124a99c271f6184242e5d7ea41d2e03dc4b9be73b46fda8dfc1a91');
INSERT INTO events VALUES(6,2,1,1700000001000,'run_accepted',NULL,1,'{"pipeline":"ask"}',X'f4ebd96a5f65d6619cceb34b31d396db56275367af57405c12a26c1ff006a6e7');
INSERT INTO events VALUES(7,2,2,1700000001010,'step_parked',0,1,'{"for":"approval"}',X'f7d5df6a706ec92e76a1130ad671ee0a1221e504383a25248de3d00adab7fa92');
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, key TEXT, pipeline TEXT, repository TEXT, ref TEXT, commit_id TEXT, author TEXT, title TEXT,
    trigger TEXT, state TEXT NOT NULL, reason TEXT, message TEXT, waiting_for TEXT, plan TEXT, accepted_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, step_count INTEGER NOT NULL, steps_done INTEGER NOT NULL,
    steps_failed INTEGER NOT NULL);
INSERT INTO runs VALUES(1,'push:hello:refs/heads/main:0:1','hello','hello','refs/heads/main','0123456789abcdef0123456789abcdef01234567','ada','It''s a first','push','succeeded',NULL,NULL,NULL,'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',1700000000000,1700000000005,1700000000206,2,2,0);
INSERT INTO runs VALUES(2,NULL,'ask',NULL,NULL,NULL,NULL,NULL,'manual','waiting',NULL,NULL,'approval',NULL,1700000001000,1700000001001,0,1,0,0);
CREATE TABLE steps (
    run INTEGER NOT NULL, step INTEGER NOT NULL, path TEXT, type TEXT, title TEXT, state TEXT NOT NULL, reason TEXT,
    message TEXT, waiting_for TEXT, attempt INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL, exit_code INTEGER NOT NULL, outputs TEXT, PRIMARY KEY (run, step)) WITHOUT ROWID;
INSERT INTO steps VALUES(1,0,'build/checkout','checkout',NULL,'succeeded',NULL,NULL,NULL,1,1700000000006,1700000000106,0,0,'{"name":"café ''x''"}');
INSERT INTO steps VALUES(1,1,'build/test','run','make test','skipped',NULL,NULL,NULL,0,0,0,0,0,NULL);
INSERT INTO steps VALUES(2,0,'release','approve','Release?','parked',NULL,NULL,'approval',0,0,0,1700086401010,0,NULL);
CREATE TABLE shims (run INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);
INSERT INTO shims VALUES(1,4);
CREATE TABLE blobs (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO blobs VALUES('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',X'');
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, key TEXT, body TEXT NOT NULL);
INSERT INTO documents VALUES(1,'serviceOrder','17','lena/order-1','{"id":"17","note":"café"}');
INSERT INTO documents VALUES(2,'service','17.1',NULL,'{"id":"17.1"}');
CREATE TABLE forgotten (run INTEGER PRIMARY KEY);
INSERT INTO forgotten VALUES(9);
CREATE TABLE server (
    one INTEGER PRIMARY KEY CHECK (one = 1), engine TEXT NOT NULL, epoch INTEGER NOT NULL, pid INTEGER NOT NULL,
    host TEXT NOT NULL, since_ms INTEGER NOT NULL);
INSERT INTO server VALUES(1,'0123456789abcdef0123456789abcdef',1700000000000,4711,'build.example',1700000000000);
CREATE UNIQUE INDEX events_by_run ON events (run, seq);
CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_repository ON runs (repository, run);
CREATE INDEX runs_by_pipeline ON runs (pipeline, run);
CREATE INDEX runs_by_repository_pipeline ON runs (repository, pipeline, run);
CREATE INDEX runs_by_state ON runs (state, run);
CREATE INDEX runs_by_state_repository ON runs (state, repository, run);
CREATE INDEX runs_by_state_pipeline ON runs (state, pipeline, run);
CREATE INDEX runs_by_state_repository_pipeline ON runs (state, repository, pipeline, run);
CREATE INDEX steps_waiting ON steps (waiting_for, run, step) WHERE waiting_for IS NOT NULL;
CREATE UNIQUE INDEX documents_by_id ON documents (collection, id);
CREATE UNIQUE INDEX documents_by_key ON documents (collection, key) WHERE key IS NOT NULL;
CREATE INDEX documents_by_number ON documents (collection, number);
CREATE INDEX runs_by_plan ON runs (plan) WHERE plan IS NOT NULL;
COMMIT;
PRAGMA application_id = 1129466444;
PRAGMA user_version = 5;
