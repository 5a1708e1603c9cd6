# engine/sim/people.c: tells a person that their decision counts before it is on disk
s/== 0) engine->votes++;/== 0) world->acknowledged_votes++;/
