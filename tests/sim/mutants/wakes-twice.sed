# engine/state/decide_stage.c: wakes a parked step twice
s/^        add(decision, EVENT_step_woken, index, with_text("by", wait_name(step->wait)));/        { add(decision, EVENT_step_woken, index, NULL); add(decision, EVENT_step_woken, index, NULL); }/
