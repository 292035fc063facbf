// Package probe asks whether the writer's Region serves writes: by SQL, by what
// arrives through replication, and by TCP. The probers implement health.Prober.
//
// They all keep two rules. A question that could not be put properly is Unknown and
// never Dead: a wrong password or a full connection limit says nothing about a
// Region. And every answer comes by the context's deadline.
package probe
