from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(max_length=254)
    phone = models.CharField(max_length=30, null=True, blank=True)
    birthday = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    preferences = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    number = models.CharField(max_length=20)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.IntegerField(default=1)
    weight = models.FloatField(null=True)
    note = models.TextField(blank=True)
    placed_at = models.DateTimeField()
    tags = models.ManyToManyField(Tag)
    status = models.CharField(max_length=20, null=True)

    class Meta:
        indexes = [models.Index(fields=["placed_at"], name="order_placed_at_idx")]
        constraints = [models.UniqueConstraint(fields=["number"], name="order_number_unique")]


class Item(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=8, decimal_places=2)
