package workload

// Follow is what reads a name server's reply.
var Follow = follow
