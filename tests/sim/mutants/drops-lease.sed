# engine/state/lease.c: knows of no lease that it holds, so that nobody renews it
s/    const char \*service = lease_service(effect);/    const char *service = NULL;/
