# engine/state/settle_effect.c: answers `go` where an effect was sent and no outcome is on record
s/return reply_key("find", name, key);/return reply_key("go", name, key);/
