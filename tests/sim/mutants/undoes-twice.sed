# engine/state/settle_effect.c: answers `go` to who asks again for an effect that is done
s/    case EFFECT_done:$/    case EFFECT_done: return reply_go(name, key);/
