// Package trigger is the function that moves the writer to its own Region.
//
// It believes nothing that it is told. Asked to fail over, it looks at the lease and the
// journal, then runs a silent agent: that asks the evidence again, recalls what the
// Region's monitor has reported, and acts only on a verdict of its own. Asked to switch
// over or told a person's consent, it walks the execution as it stands in the journal.
// In every case it goes on until the execution has ended, asks a person, or time is up;
// who asks again continues the same execution.
//
//	asked for   found                                         answers
//	any         execution has ended                           Settled or Aborted, with its report
//	any         execution asks a person                       AwaitingApproval, and the question
//	failover    the local Region holds the lease              Steady: nothing to do
//	failover    no verdict Impaired in Window                 Steady: nothing to do, and what is known
//	failover    Impaired, and nothing could begin             an error
//	any         time is up, the store or the lease is silent  an error; the journal keeps what was done
//	any         for another Region                            an error that names the function to call
package trigger
