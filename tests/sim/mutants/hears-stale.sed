# engine/state/settle.c: takes the report of an earlier attempt for that of the present one
s/ || settlement.step->attempt != report->attempt) {/) {/
