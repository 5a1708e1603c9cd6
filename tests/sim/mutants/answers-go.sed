# engine/state/settle_effect.c: answers `go` where an effect was sent and no outcome is on record
s/return reply_find(effect);/return reply_go(name, key);/
