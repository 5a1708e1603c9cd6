# tests/sim/engine.c: takes it for sent when the step asked, not when it was told to go
s/^    date_sending(world, &events);//
