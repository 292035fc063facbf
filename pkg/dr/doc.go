// Package dr is the vocabulary of disaster recovery for an Aurora Global
// Database: Regions, the policy that bounds a failover, the budget that the
// policy spends, the epoch that orders failovers, and the trace of what happened.
//
// The decisions live beside it: package health turns observations into a
// verdict, package failover turns a verdict into a moved writer. All three
// import the standard library only; everything that talks to AWS or MySQL is an
// adapter that implements their interfaces.
package dr
