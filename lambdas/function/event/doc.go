// Package event reads what the failover trigger is invoked with and writes what it
// answers.
//
// Two kinds of payload come in. A [Request] is Lifeboat's own: the health monitor sends
// one, and so does a person. It is read strictly, because a misspelt limit on moving a
// writer must not silently be no limit: an unknown key, a key in another case, a key
// that comes twice and anything after the object are refused.
//
//	{"mode": "failover",    "target_region": "us-west-2", "reason": "..."}
//	{"mode": "switchover",  "target_region": "us-west-2", "by": "jane", "reason": "..."}
//	{"mode": "acknowledge", "target_region": "us-west-2", "execution": "0000000007-0001",
//	 "question": "1", "by": "jane", "reason": "..."}
//	{"mode": "abort",       "target_region": "us-west-2", "execution": "0000000007-0001", "by": "jane", "reason": "..."}
//	{"mode": "return",      "target_region": "us-west-2", "execution": "0000000007-0001", "by": "jane", "reason": "..."}
//	{"mode": "pause",       "for": "2h", "by": "jane", "reason": "..."}
//	{"mode": "resume",      "by": "jane", "reason": "..."}
//	{"mode": "status"}
//
// The other one is what a CloudWatch alarm sends to a Lambda function (CloudWatch user
// guide, "Invoke a Lambda function from an alarm"): source "aws.cloudwatch", alarmArn,
// region, and alarmData with the alarm's name and state. AWS may add to it, so keys that
// are not known are passed over. It is taken for the request to fail over to the alarm's
// Region.
//
// Nothing in a payload is evidence. It can have the trigger look, it can't have it act. A
// "by" says that a person asks: what stops the automation, a pause or a policy that only
// observes, does not stop a person.
package event
