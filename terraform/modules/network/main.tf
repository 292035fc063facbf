# Not filtered by state = "available": a zone that fails would leave the list, and a plan
# made during the outage would move the subnets.
data "aws_availability_zones" "region" {
  exclude_zone_ids = var.exclude_zone_ids

  # Local Zones and Wavelength Zones are opt-in; Aurora runs in neither.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  # The seats are numbered, not named after zones: an account's zone names say nothing
  # about the building, and the number is all that an address needs.
  seats = { "1" = 0, "2" = 1, "3" = 2 }
  zones = sort(data.aws_availability_zones.region.names)

  subnet_ids      = [for seat in sort(keys(local.seats)) : aws_subnet.private[seat].id]
  route_table_ids = [for seat in sort(keys(local.seats)) : aws_route_table.private[seat].id]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private DNS of the endpoints needs both

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(local.zones) >= 3
      error_message = "${var.region} offers this account ${length(local.zones)} usable zones and three are needed. Choose another Region, or shorten exclude_zone_ids."
    }

    precondition {
      condition     = alltrue([for zone in local.zones : startswith(zone, var.region)])
      error_message = "The provider stands in the Region of ${join(", ", local.zones)}, not in ${var.region}. Pass the provider of ${var.region} to this module."
    }
  }
}

# The group that AWS makes with every VPC, emptied: what is attached to it by mistake
# reaches nothing and is reached by nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-unused" }
}

resource "aws_subnet" "private" {
  for_each = local.seats

  vpc_id                  = aws_vpc.this.id
  cidr_block              = cidrsubnet(var.cidr, 4, each.value)
  availability_zone       = element(local.zones, each.value) # fewer than three: the VPC refuses
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-private-${each.key}" }

  lifecycle {
    # A zone that AWS adds to the Region may sort before these three. A subnet stays
    # where it was made.
    ignore_changes = [availability_zone]
  }
}

# One table per zone, so that a drill can cut one zone's routes. There is no route to the
# internet in any; the link unit adds the one to the peer.
resource "aws_route_table" "private" {
  for_each = local.seats

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route_table_association" "private" {
  for_each = local.seats

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}
