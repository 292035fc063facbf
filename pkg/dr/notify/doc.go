// Package notify tells people through an SNS topic of the own Region.
package notify
